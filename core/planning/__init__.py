"""From counts to plans: Webster and HCM, splits, green waves, network cycle, split and offset."""
