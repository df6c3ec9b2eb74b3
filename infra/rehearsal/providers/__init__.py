"""What carries operations out: one provider a package, behind one protocol, injectable in tests."""
