//! Properties and cases of the machine.
