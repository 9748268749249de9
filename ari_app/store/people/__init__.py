"""People who sign in: who they are, their sessions, the links that they are sent, what parties may see."""
