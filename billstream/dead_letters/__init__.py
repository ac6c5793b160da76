"""Dead letters for people: list, show, repair, replay and discard them, without losing what they are."""
