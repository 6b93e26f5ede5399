"""Rights and admission on a real API server, without nodes."""
