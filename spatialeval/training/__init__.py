"""Training: recipes, their data and guards, SFT and GRPO on TRL, and the loop of training and evaluating.

Nothing here imports torch, transformers, trl or peft before a stage starts.
"""
