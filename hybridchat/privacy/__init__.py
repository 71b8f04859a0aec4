"""Guards what leaves the machine: detectors and reversible redaction. Pure: no input or output."""
