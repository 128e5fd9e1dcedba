"""Published data sets by name, read from a local copy or a hub in the layout they are published in."""

from holdfast.tasks.published.published_layout import Layout, is_published, layouts, published_task

__all__ = ["Layout", "is_published", "layouts", "published_task"]
