"""What the tools talk to: other companies' APIs, our mocks of them, and the small world that stands for a company's own."""
