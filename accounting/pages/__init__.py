"""What people see: pages by subject, plain Django views on thin wires."""
