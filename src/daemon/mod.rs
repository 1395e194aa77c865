//! THE HEARTBEAT: wait for a wake, hold the lease, run a pass, repeat.
