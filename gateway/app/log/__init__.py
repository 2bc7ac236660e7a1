"""The log and its witnesses; witnesses and monitors of the logs of others."""
