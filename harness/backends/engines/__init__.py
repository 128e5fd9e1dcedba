"""The engines behind the backends: transformers with peft, vLLM, and servers; imported when a backend is built."""
