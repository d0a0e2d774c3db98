"""Dataset readers: one file per dataset, found by its name.

A reader has ``DEFAULT_ROOT`` (its usual folder below the data root), ``CLASS_MAPS`` (class maps by
name, the dataset's own first) and ``samples(root, split, left_out)``, which lists images and says
where their labels would be without opening, or even looking for, any label; ``left_out`` is told of
the files among them that are no images. Where the labels lie in a folder of their own, one file an
image, ``label_folder(root, split)`` says which. Where it takes a look at files to say where labels
are, ``found_labels(root, split, samples)`` does so for labelled domains alone: it returns the
samples with their labels, and what is to be told about these, in sentences.
"""
