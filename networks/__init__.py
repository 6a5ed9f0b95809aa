"""Sites and streets from SUMO: nets, loops, demand, scenarios and the simulated cabinet."""
