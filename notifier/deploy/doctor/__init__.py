"""What is wrong with a deployment, a line a finding, each with its remedy."""
