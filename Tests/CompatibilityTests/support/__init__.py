"""What the compatibility and durability tests share: servers, databases, and a plain HTTP client."""
