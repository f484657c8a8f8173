"""What running code stands on: memory, context, heap, errors, code memory, crossings."""
