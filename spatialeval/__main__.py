"""`python -m spatialeval`: what `accelerate launch -m` and `torchrun -m` start."""

from spatialeval.cli.main import main

main()
