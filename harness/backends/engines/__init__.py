"""The engines behind the backends: transformers and peft, vLLM, and servers. Imported when a backend is built."""
