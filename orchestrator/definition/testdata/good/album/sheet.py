print("sheet")
