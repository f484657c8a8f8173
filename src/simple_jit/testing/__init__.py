"""`simple test`: finding spec files, running their examples, reporting what came of them."""
