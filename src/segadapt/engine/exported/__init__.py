"""Networks in files that run without this package: ONNX, and torch's own exported programs."""
