"""What dedicated inference measures: Prometheus text as rows."""
