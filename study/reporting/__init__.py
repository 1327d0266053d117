"""What the comparison report is made of: each section computed apart from how it is shown."""
