"""What the tests stand on: a provider that follows a script, and a judge of Anthropic's event grammar."""
