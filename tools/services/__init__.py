"""What the tools talk to: other companies' APIs, our mocks of them, and the mock data that stands for a company's own."""
