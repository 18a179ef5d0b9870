"""What the process-level tests and the demo share: processes, ports, real servers, PRA's programs."""
