"""What hosts need to run programs live: each picks the safe point and shows the report. Loaded only when asked for."""
