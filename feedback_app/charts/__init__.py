"""Plots and figures in words, for every page that reports: looks, words, plots, answers."""
