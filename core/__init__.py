"""What a junction is and what is lawful. No file, clock, simulator, socket or port."""
