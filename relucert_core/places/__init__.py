"""Places for heavy work: worker processes kept warm, a queue that is fair to many visitors, and what they may take."""
