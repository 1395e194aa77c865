//! THE DOOR: one file per command: parse, call, render.
