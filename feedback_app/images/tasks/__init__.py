"""The handlers of this app's runs; Celery finds this package by its name."""

from feedback_app.images.tasks import candidates as candidates
from feedback_app.images.tasks import cohorts as cohorts
from feedback_app.images.tasks import controlnets as controlnets
from feedback_app.images.tasks import measures as measures
from feedback_app.images.tasks import pretraining as pretraining
from feedback_app.images.tasks import proxies as proxies
