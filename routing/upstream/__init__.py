"""How to talk to providers: no ORM, no Django request, no caller and no money below this line."""
