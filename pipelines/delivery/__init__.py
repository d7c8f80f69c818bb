"""What a build server decides once a merge is delivered."""
