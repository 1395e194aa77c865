//! THE SPINE: observe, plan, perform, report.
