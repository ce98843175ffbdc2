"""The torch side of Reading Room: never imports Django or feedback_app."""
