"""kdlab: a course in knowledge distillation that is worked, not read.

A map, from the ground up (a room imports only from floors below its own):

========  =====================  ==================================================
floor     room                   what it holds
========  =====================  ==================================================
0         ``_checks``            one wording for every argument error
0         ``_cluster``           a client of a dask.distributed cluster
0         ``_files``             files that are whole or not there
0         ``server``             the Jupyter Server extension behind quick sliders
1         ``losses``             one pure function a loss
1         ``metrics``            accuracy, errors, entropy, agreement, calibration
1         ``models``             small networks that expose their feature maps
1         ``data``               data sets as tensors, offline default, batches
1         ``batchnorm``          batch normalization from scratch, there and back
1         ``course``             what every lecture says of itself: times, environment
2         ``schemes``            one readable loop a scheme
2         ``privileged``         teachers that see more; what theory says of them
3         ``condense``           a data set in a few learned images
4         ``plots``              results -> Axes
4         ``experiments``        the published tables beside ours, resumable
5         ``widgets``            sliders that answer at once
5         ``grading``            ``check("KD02-E3", fn)``; homework, graded apart
========  =====================  ==================================================

``import kdlab`` loads none of them; import the room you need, for example
``from kdlab.losses import soft_target_loss``.
"""

__version__ = "0.1.0"
