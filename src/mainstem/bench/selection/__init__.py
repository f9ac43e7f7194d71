"""Which samples matter: estimators and policies side by side, on streams whose truth is known."""
