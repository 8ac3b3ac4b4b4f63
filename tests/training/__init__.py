"""The training texts of the models in flows/words; __main__ learns from them."""
