"""Dataset readers: one file per dataset, found by its name.

A reader has ``DEFAULT_ROOT`` (its usual folder below the data root), ``CLASS_MAPS`` (class maps by
name, the dataset's own first) and ``samples(root, split)``, which lists images and says where their
labels would be without opening, or even looking for, any label.
"""
