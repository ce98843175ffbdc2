"""What the readings of a study say: images, figures, alarms and plots, for coordinators.

Only ``images`` may be imported by modules that the reading page loads: the others bring
scipy, statsmodels and matplotlib, which take seconds to import.
"""
