"""What kinds of runs are called on pages."""


def words_of(kind: str) -> str:
    """``teach_vlm`` as “Teach VLM”."""
    return kind.replace("_", " ").capitalize().replace("vlm", "VLM")
