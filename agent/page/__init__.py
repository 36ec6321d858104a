"""What the page is drawn from. Only here and in app.py is streamlit imported."""
