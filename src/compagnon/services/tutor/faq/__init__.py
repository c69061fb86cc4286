"""A firm's FAQ: questions and answers imported into the knowledge base, and added from what people really ask."""
