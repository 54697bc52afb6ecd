"""The pages of audiences, addresses, devices, choices and suppressions."""
