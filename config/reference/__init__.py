"""The reference pages: written from the kinds themselves, so that they cannot say anything else."""
