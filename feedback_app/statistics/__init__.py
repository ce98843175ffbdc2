"""What readings say, as numbers: functions on plain arrays that know nothing of Django.

Scores are arrays of shape (units, readers): a unit is one image of one case, NaN means
that the reader did not score it, and ``cases[unit]`` numbers the case it belongs to.
Whatever is estimated is a function of sums over cases, so that one bootstrap over cases
(``bootstrap.estimate``) serves them all.
"""
