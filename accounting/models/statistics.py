"""What was learned of each model from settled requests: enough to estimate the next one."""

from __future__ import annotations

from django.db import models


class ModelStatistics(models.Model):
    """Sums over a model's exact, complete requests; halved now and then, so that they follow what changes.

    ``request_bytes`` are the bytes of the requests whose ``input_tokens`` the provider counted; ``output_squares`` is
    the sum of the squares of their output tokens.
    """

    model_key = models.CharField(max_length=301, primary_key=True, help_text="provider/model")
    requests = models.BigIntegerField(default=0)
    request_bytes = models.BigIntegerField(default=0)
    input_tokens = models.BigIntegerField(default=0)
    output_tokens = models.BigIntegerField(default=0)
    output_squares = models.BigIntegerField(default=0)

    class Meta:
        verbose_name_plural = "model statistics"

    def __str__(self) -> str:
        return self.model_key
