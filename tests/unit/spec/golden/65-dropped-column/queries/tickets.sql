select id, body, team, created from tickets
