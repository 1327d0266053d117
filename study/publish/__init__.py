"""Champions for others: a folder or a Hugging Face repository with weights, card and a program that colours.

May import deployment, cli and what they may import; nobody imports it.
"""
