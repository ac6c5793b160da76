"""The conveyor: the Faust app, its topics and its agents."""
