"""Figures that answer the pointer on a screen and are pictures on paper. May import what reporting may import."""
